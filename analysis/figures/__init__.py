"""One figure or table per file; conf/figure holds their settings."""
