// Every kind of BTF type that C can make.
#include "bpf.h"
enum small { A = 1, B = -2, C = 1 << 20 };
enum large : u64 { D = 0x1234567890abcdefULL };
union parts { int a; char b[7]; struct { int x : 3, y : 5; u64 z : 40; } bits; };
typedef int (*function)(int, char *, ...);
struct node { struct node *next; union parts value; enum small kind; function call; const volatile char *restrict text; float single; int matrix[3][4]; };
struct node first = {.kind = B};
enum large large = D;
NOINLINE int walk(struct node *node) {
    int sum = 0;
    for (int i = 0; i < 8 && node; i++) {
        sum += node->value.bits.x + node->value.bits.z + node->matrix[1][2];
        node = node->next;
    }
    return sum;
}
SEC("raw_tp/x") int program(u64 *p) { return walk(&first) + large; }
