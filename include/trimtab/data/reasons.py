"""The closed list of reasons why a file or a row is not good. A verdict never says another."""

from enum import StrEnum

from trimtab.errors import DataError


class FileReason(StrEnum):
    """Why a whole file was refused."""

    BAD_ENCODING = "bad_encoding"
    BAD_FILENAME = "bad_filename"
    BAD_LINE_ENDS = "bad_line_ends"
    CARDINALITY = "cardinality"
    CHECK_FAILED = "check_failed"
    CLASS_MISSING = "class_missing"
    COLUMN_ALL_NULL = "column_all_null"
    COLUMN_TYPE_FLIP = "column_type_flip"
    CONSTANT_COLUMN = "constant_column"
    CORRUPT_PARQUET = "corrupt_parquet"
    DECOMPRESSION_BOMB = "decompression_bomb"
    DISTRIBUTION_SHIFT = "distribution_shift"
    DUPLICATE_HEADER = "duplicate_header"
    EMPTY_FILE = "empty_file"
    FORMAT_MISMATCH = "format_mismatch"
    HEADER_MISMATCH = "header_mismatch"
    INCOMPLETE_UPLOAD = "incomplete_upload"
    LABEL_LEAK = "label_leak"
    MANIFEST_MISMATCH = "manifest_mismatch"
    MISSING_COLUMN = "missing_column"
    NO_ROWS = "no_rows"
    NOT_REGULAR_FILE = "not_regular_file"
    NUL_BYTE = "nul_byte"
    OUTSIDE_LANDING = "outside_landing"
    PARTITION_MISMATCH = "partition_mismatch"
    SINGLE_CLASS = "single_class"
    TOO_FEW_ROWS = "too_few_rows"
    TOO_LARGE = "too_large"
    TOO_MANY_BAD_ROWS = "too_many_bad_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    TOO_MANY_DUPLICATES = "too_many_duplicates"
    TOO_MANY_ROWS = "too_many_rows"
    TRUNCATED_GZIP = "truncated_gzip"
    UNEXPECTED_COLUMN = "unexpected_column"
    UNREADABLE = "unreadable"
    UNSUPPORTED_CONTAINER = "unsupported_container"
    UNTERMINATED_QUOTE = "unterminated_quote"
    VOLUME_ANOMALY = "volume_anomaly"


class RowReason(StrEnum):
    """Why one row was set aside."""

    BAD_ENUM = "bad_enum"
    BAD_ID_FORMAT = "bad_id_format"
    BAD_TYPE = "bad_type"
    CHECK_FAILED = "check_failed"
    CONFLICTING_KEY = "conflicting_key"
    DUPLICATE_KEY = "duplicate_key"
    FORMULA_INJECTION = "formula_injection"
    FUTURE_TIMESTAMP = "future_timestamp"
    NAIVE_TIMESTAMP = "naive_timestamp"
    NOT_FINITE = "not_finite"
    NULL_NOT_ALLOWED = "null_not_allowed"
    OUT_OF_RANGE = "out_of_range"
    OUTSIDE_PARTITION = "outside_partition"
    OVERSIZED_CELL = "oversized_cell"
    RAGGED_ROW = "ragged_row"


class AcceptReason(StrEnum):
    """What an accepted or repeated file is called."""

    OK = "ok"
    DUPLICATE_NOOP = "duplicate_noop"
    REVISION = "revision"


class RefusedFileError(DataError):
    """A file that cannot be read as rows. Caught where the verdict is made."""

    def __init__(self, reason: FileReason, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}")
