"""The commands of `python -m opeai_nb`: one file each, named as it is typed."""
