/* JSON as it is printed. */
#include "config/json_print.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(json_print, lines)
{
	cJSON *item = cJSON_Parse("{\"a\":1,\"b\\\"\":[1,\"x\",null],\"c\":[],\"d\":{},\"e\":[{"
				  "\"f\":true}],\"g\":[[1]]}");
	char *text = json_print(item);
	cr_expect_str_eq(text, "{\n"
			       "  \"a\": 1,\n"
			       "  \"b\\\"\": [1, \"x\", null],\n"
			       "  \"c\": [],\n"
			       "  \"d\": {},\n"
			       "  \"e\": [\n"
			       "    {\n"
			       "      \"f\": true\n"
			       "    }\n"
			       "  ],\n"
			       "  \"g\": [\n"
			       "    [1]\n"
			       "  ]\n"
			       "}\n");
	free(text);
	cJSON_Delete(item);
}
