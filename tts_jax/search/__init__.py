"""Search against a verifier: best-of-N, beam, lookahead and DVTS."""
