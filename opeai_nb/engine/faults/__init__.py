"""Misbehaviour on purpose: rehearsal models, latency and random failures."""
