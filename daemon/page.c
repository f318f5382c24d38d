/* The page for people: daemon/page.html, as it is. */
#include "daemon/page.h"

__asm__(".pushsection .rodata\n"
	".global page_html, page_html_size\n"
	"page_html:\n"
	".incbin \"daemon/page.html\"\n"
	"page_html_end:\n"
	".balign 8\n"
	"page_html_size:\n"
	".quad page_html_end - page_html\n"
	".popsection\n");
