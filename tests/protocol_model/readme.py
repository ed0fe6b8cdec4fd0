"""Keeps README.md's list of operations as the operation table has it.

    readme.py --declarations PROGRAM        reports where it is not
    readme.py --declarations PROGRAM --fix  rewrites it
"""

import argparse
import pathlib
import subprocess
import sys

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
# What stands before and after the list of a service, or of Penstock's own API.
BEGIN = "<!-- The operations of {}, which ./dev format writes here from the operation table. -->\n"
END = "<!-- End of the operations of {}. -->\n"
SERVICES = ("sqs", "kinesis", "lambda", "consumers", "functions", "server")


def with_list(text, service, table):
    """The text with `table` between the service's marks, or None where it lacks them."""
    before, begin, rest = text.partition(BEGIN.format(service))
    _, end, after = rest.partition(END.format(service))
    # Markdown sees a table only with an empty line before it.
    return f"{before}{begin}\n{table}\n{end}{after}" if begin and end else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--declarations", required=True, help="the program that prints them")
    parser.add_argument("--fix", action="store_true")
    asked = parser.parse_args()

    text = README.read_text(encoding="utf-8")
    wanted = text
    for service in SERVICES:
        command = [asked.declarations, service, "--markdown"]
        table = subprocess.run(command, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
        wanted = with_list(wanted, service, table)
        if wanted is None:
            marks = BEGIN.format(service) + END.format(service)
            print(f"{README.name} lacks the marks between which the list of operations stands:\n{marks}")
            return 1
    if wanted == text:
        return 0
    if asked.fix:
        README.write_text(wanted, encoding="utf-8")
        return 0
    print(f"{README.name}'s list of operations is not what the operation table declares; ./dev format rewrites it")
    return 1


sys.exit(main())
