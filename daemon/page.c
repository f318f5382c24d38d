/* The page for people: daemon/page.html, as it is. */
#include "daemon/page.h"

__asm__(".pushsection .rodata\n"
	".global page_html\n"
	"page_html:\n"
	".incbin \"daemon/page.html\"\n"
	".global page_html_end\n"
	"page_html_end:\n"
	".popsection\n");

extern const char page_html_end[];

size_t page_size(void)
{
	return (size_t)(page_html_end - page_html);
}
