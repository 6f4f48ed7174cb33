"""The reporters' site: pages without a script, without a cookie, without anybody else."""
