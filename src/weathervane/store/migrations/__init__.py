"""How the ledger came to its present shape, step by step."""
