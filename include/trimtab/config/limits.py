"""What a file may be at most, and what earlier files say about the next one."""

from pydantic import Field

from trimtab.config.spec import Duration, Size, Spec


class Limits(Spec):
    """Bounds of one file. What is above them is refused before it costs memory."""

    max_bytes: Size = Field(default="8GB", validate_default=True)
    max_rows: int = Field(default=100_000_000, ge=1)
    min_rows: int = Field(default=1, ge=1)
    max_columns: int = Field(default=2_000, ge=1)
    max_cell: Size = Field(
        default="1MB", validate_default=True, description="a longer cell sets its row aside"
    )
    max_expansion: float = Field(
        default=200, gt=1, description="bytes a compressed byte may become before it is a bomb"
    )
    max_duplicates: float = Field(
        default=0.5, ge=0, le=1, description="share of rows that repeat another row of the file"
    )
    future: Duration | None = Field(
        default="1d", validate_default=True, description="how far event time may be after arrival"
    )
    formulas: bool = Field(
        default=False, description="let text cells begin like a spreadsheet formula"
    )


class History(Spec):
    """Compare a file with the accepted ones before it; off unless the dataset file asks."""

    min_files: int = Field(default=5, ge=2, description="files needed before anything is said")
    max_volume: float = Field(default=5, gt=1, description="factor of the usual number of rows")
    max_shift: float = Field(
        default=10, gt=1, description="factor by which a column's usual median may change"
    )
