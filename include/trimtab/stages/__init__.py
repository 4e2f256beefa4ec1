"""The stages of a model's life, one public function each; the only place where parts meet."""
