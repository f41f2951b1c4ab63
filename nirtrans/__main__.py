"""Run the command line as `python -m nirtrans`."""

from nirtrans.cli.app import main

if __name__ == "__main__":
    main()
