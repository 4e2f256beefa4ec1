"""Files as they really arrive: 112 numbered cases with the verdict each must get, and a fuzzer."""
