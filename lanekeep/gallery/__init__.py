"""`lanekeep gallery`: one page with every scenario, every strength and every intervention."""
