"""What is said when: generators that yield steps, and the pure schedules behind them."""
