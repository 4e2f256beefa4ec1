"""The contract as expectations, the verdict, the page people read."""
