"""Result shards that survive a kill."""
