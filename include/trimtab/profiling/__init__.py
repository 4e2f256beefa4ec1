"""What one file tells about itself: types, keys, ranges, leaks, drift; as contract and as page."""
