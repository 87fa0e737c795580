#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    int value;
    struct list link;
};

static int value_of(struct list *node)
{
    return LIST_ITEM(node, struct item, link)->value;
}

static void a_new_head_is_empty(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    assert_true(list_is_empty(&head));
    assert_null(list_take_first(&head));
}

static void nodes_come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    struct list head;
    struct item a = {.value = 1};
    struct item b = {.value = 2};
    list_init(&head);
    list_append(&head, &a.link);
    list_append(&head, &b.link);
    assert_int_equal(value_of(list_take_first(&head)), 1);
    assert_int_equal(value_of(list_take_first(&head)), 2);
    assert_true(list_is_empty(&head));
}

static void a_node_knows_whether_it_is_in_a_list(void **state)
{
    (void)state;
    struct list head;
    struct list node;
    list_init(&head);
    list_init(&node);
    assert_false(list_is_linked(&node));
    list_append(&head, &node);
    assert_true(list_is_linked(&node));
}

static void removing_twice_is_harmless(void **state)
{
    (void)state;
    struct list head;
    struct list node;
    list_init(&head);
    list_append(&head, &node);
    list_remove(&node);
    list_remove(&node);
    assert_false(list_is_linked(&node));
    assert_true(list_is_empty(&head));
}

static void moving_takes_all_nodes_in_order_and_leaves_the_source_empty(void **state)
{
    (void)state;
    struct list from;
    struct list to;
    struct item a = {.value = 1};
    struct item b = {.value = 2};
    list_init(&from);
    list_append(&from, &a.link);
    list_append(&from, &b.link);
    list_move_all(&from, &to);
    assert_true(list_is_empty(&from));
    assert_int_equal(value_of(list_take_first(&to)), 1);
    assert_int_equal(value_of(list_take_first(&to)), 2);
    assert_true(list_is_empty(&to));
}

static void moving_nothing_leaves_both_empty(void **state)
{
    (void)state;
    struct list from;
    struct list to;
    list_init(&from);
    list_move_all(&from, &to);
    assert_true(list_is_empty(&from));
    assert_true(list_is_empty(&to));
}

static void a_list_put_before_another_keeps_both_orders(void **state)
{
    (void)state;
    struct list first;
    struct list second;
    struct item items[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    list_init(&first);
    list_init(&second);
    for (unsigned i = 0; i < 4; i++) list_append(i < 2 ? &first : &second, &items[i].link);
    list_put_before(&first, &second);
    assert_true(list_is_empty(&first));
    for (int i = 1; i <= 4; i++) assert_int_equal(value_of(list_take_first(&second)), i);
    assert_true(list_is_empty(&second));
}

static void an_empty_list_can_be_put_before_another(void **state)
{
    (void)state;
    struct list first;
    struct list second;
    struct item a = {.value = 1};
    list_init(&first);
    list_init(&second);
    list_append(&second, &a.link);
    list_put_before(&first, &second);
    assert_int_equal(value_of(list_take_first(&second)), 1);
    assert_true(list_is_empty(&second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_head_is_empty),
        cmocka_unit_test(nodes_come_out_in_the_order_they_went_in),
        cmocka_unit_test(a_node_knows_whether_it_is_in_a_list),
        cmocka_unit_test(removing_twice_is_harmless),
        cmocka_unit_test(moving_takes_all_nodes_in_order_and_leaves_the_source_empty),
        cmocka_unit_test(moving_nothing_leaves_both_empty),
        cmocka_unit_test(a_list_put_before_another_keeps_both_orders),
        cmocka_unit_test(an_empty_list_can_be_put_before_another),
    };
    return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
