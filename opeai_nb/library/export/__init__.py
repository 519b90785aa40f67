"""A selection of the library for others: a data set, a contact sheet, a page for a browser."""
