#!/usr/bin/env bash
# A real S3 server for tests: Ceph's radosgw over one monitor and one OSD in memory, on loopback.
#   ceph.sh start DIR PORT MON_PORT ACCESS_KEY SECRET_KEY      ceph.sh stop DIR
# Debian's packages are installed when they are missing and this is root (64 MB, about a minute).
set -euo pipefail
PACKAGES="ceph-mon ceph-osd radosgw ceph-common curl"

install() {
    [ -x /usr/bin/radosgw ] && [ -x /usr/bin/ceph-mon ] && [ -x /usr/bin/ceph-osd ] && return
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || {
        echo "the integration lane needs Ceph: apt-get install --no-install-recommends $PACKAGES" >&2
        exit 3
    }
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $PACKAGES >&2
}

configure() {
    local dir=$1 port=$2 mon=$3
    cat >"$dir/ceph.conf" <<CONF
[global]
fsid=$(cat /proc/sys/kernel/random/uuid)
mon host=[v2:127.0.0.1:$mon,v1:127.0.0.1:$((mon + 1))]
public addr=127.0.0.1
cluster addr=127.0.0.1
public network=127.0.0.0/8
auth cluster required=cephx
auth service required=cephx
auth client required=cephx
keyring=$dir/keyring
run dir=$dir/run
admin socket=$dir/run/\$name.\$pid.asok
pid file=$dir/run/\$name.pid
log file=$dir/log/\$name.log
mon cluster log file=$dir/log/cluster.log
osd pool default size=1
osd pool default min size=1
osd pool default pg num=4
osd pool default pgp num=4
osd pool default pg autoscale mode=off
mon allow pool size one=true
osd crush chooseleaf type=0
[mon]
mon data=$dir/mon
mon initial members=a
mon data avail warn=1
mon data avail crit=1
[osd]
osd data=$dir/osd0
osd objectstore=memstore
memstore device bytes=4294967296
osd class load list=*
osd class default list=*
[client.rgw.a]
rgw data=$dir/rgw
rgw frontends=beast endpoint=127.0.0.1:$port
CONF
}

start() {
    local dir=$1 port=$2 mon=$3 access=$4 secret=$5 keys="$1/keyring" fsid osd
    mkdir -p "$dir"/{mon,osd0,rgw,log,run}
    configure "$dir" "$port" "$mon"
    export CEPH_CONF="$dir/ceph.conf"
    fsid=$(sed -n 's/^fsid=//p' "$CEPH_CONF")
    ceph-authtool --create-keyring "$keys" --gen-key -n mon. --cap mon 'allow *'
    ceph-authtool "$keys" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
    ceph-authtool "$keys" --gen-key -n client.rgw.a --cap mon 'allow *' --cap osd 'allow *'
    ceph-authtool "$keys" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
    monmaptool --create --addv a "[v2:127.0.0.1:$mon,v1:127.0.0.1:$((mon + 1))]" --fsid "$fsid" "$dir/monmap"
    ceph-mon --mkfs -i a --monmap "$dir/monmap" --keyring "$keys"
    ceph-mon -i a
    osd=$(cat /proc/sys/kernel/random/uuid)
    ceph osd new "$osd"
    ceph-osd -i 0 --mkfs --osd-uuid "$osd"
    ceph-osd -i 0
    radosgw -n client.rgw.a
    for _ in $(seq 240); do
        curl -s -o /dev/null "http://127.0.0.1:$port" && break
        sleep 0.5
    done
    radosgw-admin -n client.rgw.a user create --uid=trimtab --display-name=trimtab \
        --access-key="$access" --secret-key="$secret" >/dev/null
}

# The OSD may outlive SIGTERM, so whoever still runs after ten seconds is killed.
stop() {
    local pids
    pids=$(cat "$1"/run/*.pid 2>/dev/null || true)
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086
    kill $pids 2>/dev/null || true
    for _ in $(seq 20); do
        # shellcheck disable=SC2086
        kill -0 $pids 2>/dev/null || return 0
        sleep 0.5
    done
    # shellcheck disable=SC2086
    kill -9 $pids 2>/dev/null || true
}

case ${1:-} in
start) shift; install; start "$@" ;;
stop) shift; stop "$@" ;;
*) sed -n 2,4p "$0" >&2; exit 2 ;;
esac
