"""The command line: options in, one library call, print. The only room that prints or exits."""
