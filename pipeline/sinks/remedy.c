/* Remedies. */

#include "pipeline/sinks/remedy.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* systemd gives each run of a unit its number (systemd.exec(5)). */
static bool is_service(void)
{
	return getenv("INVOCATION_ID") != NULL;
}

const char *remedy_for_path(int error)
{
	switch (error) {
	case EWOULDBLOCK:
		return "give each process a path of its own, or end the other (lslocks names it)";
	case EROFS:
		return is_service() ? "let the unit write there: ReadWritePaths= in a drop-in like "
				      "write-paths.conf "
				      "(systemctl edit)"
				    : "mount it writable, or write elsewhere";
	case EACCES:
	case EPERM:
		return is_service() ? "let the unit's user write there, and the unit: "
				      "ReadWritePaths= in a drop-in like write-paths.conf "
				      "(systemctl edit)"
				    : "let this user write there, or write elsewhere";
	}
	return NULL;
}

const char *remedy_for_peer(int error, bool is_path)
{
	if (error != EPERM && error != EACCES)
		return NULL;
	if (is_path)
		return "let this user write to the socket";
	return is_service() ? "allow the address: IPAddressAllow= in a drop-in like "
			      "address-filter.conf (systemctl edit), or "
			      "in the firewall"
			    : "allow the address in the firewall";
}
