"""Live budgets and cost centers as code: read, named, written as a program and as an import file."""
