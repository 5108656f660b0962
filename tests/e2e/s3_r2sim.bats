#!/usr/bin/env bats
# storage = "s3" on Cloudflare's R2 simulator, end to end.

bats_require_minimum_version 1.5.0
BACKEND=r2sim.sh
load s3_lib

@test "r2sim: the daemon's uploads go round" { daemon_goes_round; }
@test "r2sim: what is forged is refused" { forged_is_refused; }
@test "r2sim: a stock client's upload goes round" { stock_client_goes_round; }
@test "r2sim: a confirm looks into the store" { confirm_looks_into_the_store; }
@test "r2sim: a restored database overwrites nothing" { a_restored_database_overwrites_nothing; }
@test "r2sim: what a restored database forgot is adopted" { what_was_forgotten_is_adopted; }
@test "r2sim: what was deleted waits in the trash" { deletion_waits_in_the_trash; }
@test "r2sim: check compares both ways, page by page" { check_compares_both_ways; }
@test "r2sim: a wrong secret is said at the start" { a_wrong_secret_is_said_at_start; }
@test "r2sim: a page reads what is shared, until it ends" { a_page_reads_what_is_shared; }
