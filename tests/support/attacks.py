"""What a query must not do, on either engine: statements, and what is said of each."""

from __future__ import annotations

#: Refused on both engines. The words are of the answer.
ON_BOTH = {
    # writes
    "insert into canonical.products select * from canonical.products": "SELECT|not valid",
    "update canonical.products set name = 'x'": "SELECT|not valid",
    "delete from canonical.products": "SELECT|not valid",
    "truncate canonical.products": "SELECT|not valid",
    "create table marts.mine as select 1 as a": "SELECT|not valid",
    "create temp table mine as select 1 as a": "SELECT|not valid",
    "create view marts.mine as select 1 as a": "SELECT|not valid",
    "drop view canonical.products": "SELECT|not valid",
    "alter table canonical.products rename to mine": "SELECT|not valid",
    "with gone as (delete from canonical.products returning *) select * from gone": (
        "SELECT|not valid|read|DECLARE CURSOR"
    ),
    # files and other databases
    "copy (select 1) to '/tmp/stolen.csv'": "SELECT|not valid",
    "copy canonical.products from '/etc/passwd'": "SELECT|not valid",
    "attach '/tmp/other.duckdb' as other": "SELECT|not valid",
    "select * from read_csv('/etc/passwd')": "cannot be read|does not exist",
    "select * from read_text('/etc/passwd')": "cannot be read|does not exist",
    "select * from '/etc/passwd'": "no public table|not valid",
    "install httpfs": "SELECT|not valid",
    "load httpfs": "SELECT|not valid",
    # settings
    "pragma database_list": "SELECT|not valid",
    "set memory_limit = '100GB'": "SELECT|not valid",
    "set statement_timeout = 0": "SELECT|not valid",
    "reset all": "SELECT|not valid",
    # more than one statement
    "select 1; select 2": "one statement",
    "select 1; drop view canonical.products": "SELECT|one statement",
    "commit; create table marts.mine as select 1 as a; select 1": "SELECT|not valid|one statement",
    "rollback; delete from canonical.products": "SELECT|not valid|one statement",
    "select 1 /* ; */; /* select 2 */ drop view canonical.products": "SELECT|one statement",
    "/* select 1 */ drop view canonical.products": "SELECT|not valid",
    "-- select 1\ndrop view canonical.products": "SELECT|not valid",
    "select 1 --\n; drop view canonical.products": "SELECT|one statement",
    # other statements
    "begin": "SELECT|not valid",
    "commit": "SELECT|not valid",
    "explain analyze delete from canonical.products": "SELECT|not valid",
    "prepare mine as select 1": "SELECT|not valid",
    "call pragma_version()": "SELECT|not valid",
    "vacuum": "SELECT|not valid",
    "checkpoint": "SELECT|not valid",
    "": "empty|at least 1",
    " ; ": "empty|not valid",
    "-- nothing": "empty|not valid",
    # tables that are not public
    "select * from intermediate.int_products": "no public table|no table|does not exist",
    "select * from release.canonical__products": "no public table|may not read",
    "select * from build_intermediate.int_products": "no public table|may not read",
    "select * from products": "no public table|no table",
}
#: What only one of the engines has.
ON_ONE = {
    "duckdb": {
        "select * from query('select * from intermediate.int_products')": "cannot be read",
        "select * from query_table('intermediate.int_products')": "cannot be read",
        "select * from duckdb_settings()": "cannot be read",
        "select * from glob('/etc/*')": "cannot be read",
        "select * from sniff_csv('/etc/passwd')": "cannot be read",
        "with x as (select 1) select * from intermediate.x": "no public table",
        'select * from "INTERMEDIATE".int_products': "no public table",
        "select (select count(*) from intermediate.int_products)": "no public table",
        "select 1 where exists (from intermediate.int_products)": "no public table",
        "with x as (from intermediate.int_products) select 1": "no public table",
        'select * from "1".intermediate.int_products': "no public table",
        "export database '/tmp/stolen'": "SELECT",
        "use marts": "SELECT",
        "describe intermediate.int_products": "no SELECT",
        "show all tables": "no SELECT",
    },
    "postgres": {
        "select pg_read_file('/etc/passwd')": "may not|permission",
        "select pg_ls_dir('/')": "may not|permission",
        "select pg_import_system_collations('pg_catalog')": "may not|must be superuser|permission",
        "select lo_import('/etc/passwd')": "may not|permission|read",
        "select lo_export(1, '/tmp/stolen')": "may not|permission|read",
        "select pg_reload_conf()": "may not|permission",
        "select pg_create_restore_point('mine')": "may not|permission|recovery",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'": (
            "may not|permission"
        ),
        "select nextval('pg_catalog.mine')": "does not exist|no table|read",
        "select dblink('dbname=postgres', 'select 1')": "does not exist|may not|password",
        "select query_to_xml('delete from canonical.products', true, true, '')": (
            "read|may not|permission|not allowed"
        ),
        "select query_to_xml('table release.canonical__products', true, true, '')": "may not",
        "select * into marts.mine from canonical.products": "SELECT|INTO|not valid",
        "select * from canonical.products for update": "read|may not",
        "do $$ begin perform 1; end $$": "not valid",
        "listen mine": "not valid",
        "lock table canonical.products": "not valid",
        "set role postgres": "not valid",
        "select set_config('role', 'postgres', false)": "may not|permission",
        "select set_config('transaction_read_only', 'off', false)": "must be set|read-write|before",
        "copy (select 1) to program 'touch /tmp/stolen'": "not valid",
    },
}
#: What takes longer than it may: each for hours, or where the engine cannot be interrupted.
ENDLESS = {
    "duckdb": (
        "with recursive t(i) as (select 1 union all select i + 1 from t) select count(*) from t",
        "select count(*) from range(100000000) as a(i), range(1000000) as b(j) where i * j % 7 = 3",
        "select levenshtein(repeat('ab', 400000), repeat('ba', 400001))",
        "select i, j from range(100000000) as a(i), range(1000) as b(j) order by hash(i + j)",
    ),
    "postgres": (
        "with recursive t(i) as (select 1 union all select i + 1 from t) select count(*) from t",
        "select count(*) from generate_series(1, 100000000) as a(i), generate_series(1, 9999) as b",
        "select pg_sleep(600)",
        "select pg_sleep(600) from generate_series(1, 5)",
    ),
}
#: What takes more memory than it may.
LARGE = {
    "duckdb": (
        "select length(repeat('abc', 1000000000))",
        "select repeat('x', 50000000) from range(1000)",
        "select list(i) from range(400000000) as a(i)",
    ),
    "postgres": ("select repeat('x', 120000000)",),
}
