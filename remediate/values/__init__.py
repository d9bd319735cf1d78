"""The values that travel through the program, frozen, in the spelling of the files they are saved in."""
