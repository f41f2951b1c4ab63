"""The command line: declares options, calls the packages below, turns exceptions into exit codes."""
