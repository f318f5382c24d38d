/* An address is told apart at its last colon; what is before it is a name, an IPv4 or a bracketed IPv6 address. */
#include "config/address.h"

#include "config/arena.h"
#include "config/quote.h"
#include "config/scalar.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define REMEDY(value, ...) arena_format((value)->document->arena, __VA_ARGS__)

enum { HOST_MOST = 255, PASSED_NAME_MOST = 255, PORT_EXAMPLE = 5140 };

static bool is_number(const char *text)
{
	return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* An IPv6 address, with a zone perhaps: fe80::1%eth0. */
static bool is_ipv6(const char *text)
{
	char plain[INET6_ADDRSTRLEN];
	struct in6_addr binary;
	size_t size = strcspn(text, "%");
	if (size >= sizeof(plain))
		return false;
	memcpy(plain, text, size);
	plain[size] = '\0';
	return inet_pton(AF_INET6, plain, &binary) == 1;
}

static bool is_ipv4(const char *text)
{
	struct in_addr binary;
	return inet_pton(AF_INET, text, &binary) == 1;
}

/* A host's name, as resolvers take it: letters, digits, and `-`, `_`, `.` inside. */
static bool is_name(const char *text)
{
	size_t size = strlen(text);
	if (size == 0 || size > HOST_MOST || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < size; i++)
		if (!isalnum((unsigned char)text[i]) && strchr("-_.", text[i]) == NULL)
			return false;
	return true;
}

static bool is_host(const char *text)
{
	bool numeric = text[strspn(text, "0123456789.")] == '\0';
	return numeric ? is_ipv4(text) : is_name(text);
}

static bool fault_address(struct faults *faults, const struct option *option,
	const struct value *value, const char *remedy, const char *what)
{
	return fault_at(faults, value, value->secret ? NULL : remedy, "%s for \"%s\" %s",
		quote_value(value), option->name, what);
}

/* Two or more colons without brackets: the last one may be the port's. */
static bool fault_colons(
	struct faults *faults, const struct option *option, const struct value *value)
{
	const char *text = value->text, *last = strrchr(text, ':');
	char *before = arena_copy(value->document->arena, text, (size_t)(last - text));
	if (is_ipv6(before) && is_number(last + 1))
		return fault_address(faults, option, value,
			REMEDY(value, "write \"[%s]:%s\"", before, last + 1),
			"is an IPv6 address without brackets");
	if (is_ipv6(text))
		return fault_address(faults, option, value,
			REMEDY(value, "write \"[%s]:%d\"", text, PORT_EXAMPLE),
			"is an IPv6 address without brackets");
	return fault_address(faults, option, value, "write \"127.0.0.1:5140\" or \"[::1]:5140\"",
		"is no host and port");
}

static bool fault_no_port(
	struct faults *faults, const struct option *option, const struct value *value)
{
	const char *text = value->text;
	if (is_number(text))
		return fault_address(faults, option, value,
			REMEDY(value, "write \"%s:%s\"", option->wildcard ? "" : "127.0.0.1", text),
			"has no host");
	size_t size = strcspn(text, ":");
	return fault_address(faults, option, value,
		REMEDY(value, "write \"%.*s:%d\"", size == 0 ? 9 : (int)size,
			size == 0 ? "127.0.0.1" : text, PORT_EXAMPLE),
		"has no port");
}

static bool port_read(const struct option *option, const struct value *value, const char *text,
	uint16_t *port, struct faults *faults)
{
	unsigned long number =
		is_number(text) && strlen(text) <= 5 ? strtoul(text, NULL, 10) : 65536;
	if (number > 65535 || (number == 0 && !option->wildcard))
		return fault_address(faults, option, value, "write a port from 1 to 65535",
			"has no port from 1 to 65535");
	*port = (uint16_t)number;
	return true;
}

static bool bracketed_read(const struct option *option, const struct value *value,
	struct address *address, struct faults *faults)
{
	const char *text = value->text, *close = strchr(text, ']');
	if (close == NULL)
		return fault_address(
			faults, option, value, "write \"[::1]:5140\"", "has no closing bracket");
	address->host = arena_copy(value->document->arena, text + 1, (size_t)(close - text - 1));
	if (!is_ipv6(address->host))
		return fault_address(faults, option, value, "write an IPv6 address in the brackets",
			"is no IPv6 address");
	if (close[1] != ':')
		return fault_address(faults, option, value,
			REMEDY(value, "write \"[%s]:%d\"", address->host, PORT_EXAMPLE),
			"has no port");
	return port_read(option, value, close + 2, &address->port, faults);
}

static bool host_check(const struct option *option, const struct value *value, const char *host,
	const char *port, struct faults *faults)
{
	if (host[0] == '\0' && option->wildcard)
		return true;
	if (host[0] == '\0')
		return fault_address(faults, option, value,
			REMEDY(value, "write \"127.0.0.1:%s\"", port), "has no host");
	if (strcmp(host, "*") == 0 && option->wildcard)
		return fault_address(faults, option, value, REMEDY(value, "write \":%s\"", port),
			"has no host's name or address");
	if (!is_host(host))
		return fault_address(faults, option, value,
			"write a host's name, an IPv4 address, or an IPv6 address in brackets",
			"has no host's name or address");
	return true;
}

const char *passed_name(const char *text)
{
	static const char prefix[] = "systemd:";

	return strncmp(text, prefix, sizeof(prefix) - 1) == 0 ? text + sizeof(prefix) - 1 : NULL;
}

bool passed_name_check(const struct option *option, const struct value *value, const char *name,
	struct faults *faults)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < size; i++)
		if (!isgraph((unsigned char)name[i]) || name[i] == ':')
			size = 0;
	if (size >= 1 && size <= PASSED_NAME_MOST)
		return true;
	return fault_address(faults, option, value,
		"write \"systemd:\" and the FileDescriptorName= of the .socket unit",
		"names no socket that the service manager could pass");
}

static bool parts_read(const struct option *option, const struct value *value,
	struct address *address, struct faults *faults)
{
	const char *text = value->text, *colon = strchr(text, ':');
	const char *scheme = strstr(text, "://");
	if (strlen(text) != value->size)
		return fault_address(faults, option, value, NULL, "holds a NUL byte");
	if (option->passable && passed_name(text)) {
		address->passed = passed_name(text);
		return passed_name_check(option, value, address->passed, faults);
	}
	if (text[0] == '[')
		return bracketed_read(option, value, address, faults);
	if (scheme != NULL)
		return fault_address(faults, option, value,
			REMEDY(value, "write \"%s\"", scheme + 3),
			"has a scheme: an address is a host and a port");
	if (colon == NULL || colon[1] == '\0')
		return fault_no_port(faults, option, value);
	if (strchr(colon + 1, ':') != NULL)
		return fault_colons(faults, option, value);
	address->host = arena_copy(value->document->arena, text, (size_t)(colon - text));
	return host_check(option, value, address->host, colon + 1, faults) &&
	       port_read(option, value, colon + 1, &address->port, faults);
}

bool address_read(const struct option *option, const struct value *value, struct address *address,
	struct faults *faults)
{
	if (value->kind == VALUE_NUMBER && is_number(value->text))
		return fault_at(faults, value,
			REMEDY(value, "write \"%s:%s\"", option->wildcard ? "" : "127.0.0.1",
				value->text),
			"an address is due for \"%s\", not a number", option->name);
	if (value->kind != VALUE_STRING)
		return fault_kind(faults, option, value, "an address");
	struct address read = { .text = value->text, .host = "" };
	if (!parts_read(option, value, &read, faults))
		return false;
	*address = read;
	return true;
}

/* What is not known yet stays as it is written. */
static bool item_read(const struct option *option, const struct value *value,
	struct address *address, struct faults *faults)
{
	if (!value->unknown)
		return address_read(option, value, address, faults);
	*address = (struct address){ .text = value->kind == VALUE_STRING ? value->text : "",
		.host = "" };
	return true;
}

bool addresses_read(const struct option *option, const struct value *value,
	struct addresses *addresses, struct faults *faults)
{
	bool is_list = value->kind == VALUE_LIST, good = true;
	size_t count = is_list ? value_count(value) : 1;
	if (count == 0)
		return fault_at(faults, value, "name one address at least",
			"the list for \"%s\" is empty", option->name);
	struct address *items = document_allocate(value->document, count * sizeof(*items));
	const struct value *item = is_list ? value->first : value;
	for (size_t i = 0; i < count; i++, item = item->next)
		good = item_read(option, item, &items[i], faults) && good;
	if (good)
		*addresses = (struct addresses){ items, count };
	return good;
}
