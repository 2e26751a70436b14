/* How a text can be compared with one that is looked for: what filters ask, and engines answer.
 * Both are folded. */
#pragma once

enum match { MATCH_CONTAINS, MATCH_STARTS, MATCH_ENDS, MATCH_EQUALS };
/* The order of bytes. */
enum match_order { MATCH_LESS, MATCH_LESS_EQUAL, MATCH_GREATER, MATCH_GREATER_EQUAL };
