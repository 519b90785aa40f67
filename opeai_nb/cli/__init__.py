"""The commands of `python -m opeai_nb`: `demo` is in `demo_command`, and so on."""
