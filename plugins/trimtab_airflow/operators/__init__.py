"""One operator per stage: store arguments, import late, call, log one line, return small values."""
