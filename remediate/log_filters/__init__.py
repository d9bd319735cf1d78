"""The third fix: filters for an application's own logger, where the pool must stay warm. Pure, but for reading them."""
