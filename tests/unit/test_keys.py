"""Keys derived from a source's own: stable for ever, apart wherever the rows are."""

from uuid import UUID

from loaders.keys import derived_key


def test_a_derived_key_never_changes() -> None:
    # Written down once: landed rows keep it, so a later version must give the same.
    assert derived_key("supabase", "raw_videos", 7) == "3aea8a52-e909-5be6-8962-6224bd940410"


def test_a_number_and_its_digits_are_one_key() -> None:
    assert derived_key("supabase", "products", 12) == derived_key("supabase", "products", " 12 ")


def test_sources_tables_and_values_do_not_run_into_each_other() -> None:
    given: list[tuple[str, str, int | str]] = [
        ("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("x", "b", "c"),
        ('a","b', "b", "c"), ("a", 'b","c', "c"), ("ab", "", "c"), ("a", "b", ""),
        ("a", "b", "01"), ("a", "b", 1),
    ]  # fmt: skip
    keys = [derived_key(*one) for one in given]
    assert len(set(keys)) == len(keys)
    assert all(str(UUID(key)) == key and UUID(key).version == 5 for key in keys)
