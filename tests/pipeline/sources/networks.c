/* Networks: what they hold, and what is refused. */

#include "pipeline/sources/networks.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct example {
	struct strings allow;
};

static const struct option options[] = { OPTION(STRINGS, struct example, allow), OPTIONS_END };

struct reading {
	struct document document;
	struct faults faults;
	struct example example;
	struct networks networks;
};

static bool read_json(struct reading *reading, const char *json)
{
	*reading = (struct reading){ 0 };
	cr_assert(document_parse(
		&reading->document, "test", json, strlen(json), false, &reading->faults));
	const struct value *root = reading->document.root;
	cr_assert(options_read(options, root, "test", &reading->example, &reading->faults));
	return networks_read(&reading->networks, &reading->example.allow,
		option_value(options, root, "allow"), &reading->faults);
}

static void close_reading(struct reading *reading)
{
	faults_close(&reading->faults);
	document_close(&reading->document);
}

static bool holds(const struct reading *reading, const char *text)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
		return networks_hold(&reading->networks, (struct sockaddr *)&six);
	cr_assert_eq(inet_pton(AF_INET, text, &four.sin_addr), 1);
	return networks_hold(&reading->networks, (struct sockaddr *)&four);
}

Test(networks, hold_what_lies_in_them_and_nothing_else)
{
	struct reading reading;

	cr_assert(read_json(&reading, "{\"allow\": [\"10.0.0.0/8\", \"192.168.1.7\", "
				      "\"2001:db8::/33\", \"172.16.0.0/12\"]}"));
	cr_assert(holds(&reading, "10.0.0.0"));
	cr_assert(holds(&reading, "10.255.255.255"));
	cr_assert_not(holds(&reading, "11.0.0.0"));
	cr_assert_not(holds(&reading, "9.255.255.255"));
	cr_assert(holds(&reading, "192.168.1.7"));
	cr_assert_not(holds(&reading, "192.168.1.6"));
	cr_assert(holds(&reading, "172.31.255.255"));
	cr_assert_not(holds(&reading, "172.32.0.0"));
	cr_assert(holds(&reading, "::ffff:10.1.2.3"), "mapped addresses are IPv4");
	cr_assert_not(holds(&reading, "::ffff:11.1.2.3"));
	cr_assert(holds(&reading, "2001:db8:7fff::1"));
	cr_assert_not(holds(&reading, "2001:db8:8000::1"));
	cr_assert_not(holds(&reading, "::1"));
	close_reading(&reading);
}

Test(networks, tell_the_families_apart)
{
	struct reading reading;

	cr_assert(read_json(&reading, "{\"allow\": \"::/0\"}"));
	cr_assert(holds(&reading, "2001:db8::1"));
	cr_assert_not(holds(&reading, "127.0.0.1"));
	cr_assert_not(holds(&reading, "::ffff:127.0.0.1"));
	close_reading(&reading);
	cr_assert(read_json(&reading, "{\"allow\": [\"0.0.0.0/0\"]}"));
	cr_assert(holds(&reading, "127.0.0.1"));
	cr_assert(holds(&reading, "::ffff:127.0.0.1"));
	cr_assert_not(holds(&reading, "::1"));
	close_reading(&reading);
	cr_assert(read_json(&reading, "{\"allow\": \"::ffff:127.0.0.0/104\"}"));
	cr_assert(holds(&reading, "127.9.9.9"));
	cr_assert_not(holds(&reading, "128.0.0.1"));
	close_reading(&reading);
}

Test(networks, hold_everybody_where_none_is_named)
{
	struct reading reading;
	struct sockaddr local = { .sa_family = AF_UNIX };

	cr_assert(read_json(&reading, "{}"));
	cr_assert(holds(&reading, "::1"));
	cr_assert(networks_hold(&reading.networks, &local));
	close_reading(&reading);
	cr_assert(read_json(&reading, "{\"allow\": \"::1\"}"));
	cr_assert_not(networks_hold(&reading.networks, &local));
	close_reading(&reading);
}

Test(networks, refuse_what_is_none)
{
	static const char *const wrong[] = { "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::1/129",
		"localhost", "", "10.0.0.0/-1", "10.0.0.0/ 8", "1.2.3.4/0008", "/8" };
	struct reading reading;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char json[64];

		snprintf(json, sizeof(json), "{\"allow\": [\"::1\", \"%s\"]}", wrong[i]);
		cr_assert_not(read_json(&reading, json), "%s", wrong[i]);
		cr_assert_eq(reading.faults.errors, 1);
		cr_assert_str_eq(reading.faults.items[0].pointer, "/allow/1");
		close_reading(&reading);
	}
}

Test(networks, refuse_bits_that_mean_nothing)
{
	struct reading reading;

	cr_assert_not(read_json(&reading, "{\"allow\": \"10.0.0.1/8\"}"));
	cr_assert_str_eq(reading.faults.items[0].remedy, "write \"10.0.0.0/8\"");
	close_reading(&reading);
	cr_assert_not(read_json(&reading, "{\"allow\": \"2001:db8::1/32\"}"));
	cr_assert_str_eq(reading.faults.items[0].remedy, "write \"2001:db8::/32\"");
	close_reading(&reading);
}

Test(networks, leave_out_what_is_not_known_yet)
{
	struct reading reading;

	cr_assert(read_json(&reading, "{\"allow\": [\"${NETWORK}\", \"::1\"]}"));
	cr_assert_eq(reading.networks.count, 1);
	close_reading(&reading);
}
