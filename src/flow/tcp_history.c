// SPDX-License-Identifier: Apache-2.0
// Zeek's letters and names; what they mean is in Zeek's documentation of conn.log.
#include "flow/tcp_history.h"

#include <ctype.h>
#include <string.h>

enum number { SYN, FIN, RST };

static const char letters[] = "shfraqidcgtw";

static void append(struct tcp_history *history, char letter)
{
	size_t length = strlen(history->text);

	if (length < TCP_HISTORY - 1)
		history->text[length] = letter;
}

static char cased(const struct tcp *tcp, unsigned direction, char letter)
{
	return (char)(direction == tcp_client(tcp) ? toupper(letter) : letter);
}

// Was it noted already?
static bool note(struct tcp_history *history, const struct tcp *tcp, unsigned direction, char letter)
{
	uint16_t bit = (uint16_t)(1u << (strchr(letters, letter) - letters));

	if (history->noted[direction] & bit)
		return true;
	history->noted[direction] |= bit;
	append(history, cased(tcp, direction, letter));
	return false;
}

static void note_number(struct tcp_history *history, const struct tcp *tcp, unsigned direction, char letter,
	enum number which, uint32_t number)
{
	if (note(history, tcp, direction, letter) && history->last[direction][which] != number)
		append(history, cased(tcp, direction, letter));
	history->last[direction][which] = number;
}

void tcp_history_count(
	struct tcp_history *history, const struct tcp *tcp, unsigned direction, enum tcp_counted what)
{
	static const char counted[TCP_COUNTED] = {
		[TCP_BAD_CHECKSUM] = 'c',
		[TCP_GAP] = 'g',
		[TCP_SENT_AGAIN] = 't',
		[TCP_ZERO_WINDOW] = 'w',
	};
	uint16_t *count = &history->counts[direction][what];

	if (*count >= 1000)
		return;
	++*count;
	if (*count == 1 || *count == 10 || *count == 100 || *count == 1000)
		append(history, cased(tcp, direction, counted[what]));
}

// The client was taken for the server so far.
static void flip(struct tcp_history *history)
{
	for (char *at = history->text; *at; at++)
		*at = (char)(isupper(*at) ? tolower(*at) : toupper(*at));
	append(history, '^');
}

static void note_flags(
	struct tcp_history *history, const struct tcp *tcp, unsigned direction, const struct tcp_segment *segment)
{
	uint32_t seq = segment->seq;

	switch (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
	case 0:
		if (segment->length)
			note(history, tcp, direction, 'd');
		else if (segment->flags & TCP_ACK)
			note(history, tcp, direction, 'a');
		return;
	case TCP_SYN:
		note_number(history, tcp, direction, segment->flags & TCP_ACK ? 'h' : 's', SYN, seq);
		return;
	case TCP_FIN: note_number(history, tcp, direction, 'f', FIN, seq + segment->length); return;
	case TCP_RST: note_number(history, tcp, direction, 'r', RST, seq); return;
	case TCP_FIN | TCP_RST:
	case TCP_SYN | TCP_FIN | TCP_RST: note(history, tcp, direction, 'i'); return;
	default: note(history, tcp, direction, 'q');
	}
}

void tcp_history_note(struct tcp_history *history, const struct tcp *tcp, unsigned direction,
	const struct tcp_segment *segment, uint32_t facts)
{
	const struct tcp_side *to = &tcp->side[!direction];

	if (facts & TCP_FACT_FLIPPED)
		flip(history);
	note_flags(history, tcp, direction, segment);
	if (!segment->window && !(segment->flags & TCP_RST) && to->state < TCP_FINISHED)
		tcp_history_count(history, tcp, direction, TCP_ZERO_WINDOW);
	if (facts & TCP_FACT_RETRANSMITTED && segment->length)
		tcp_history_count(history, tcp, direction, TCP_SENT_AGAIN);
}

// ---- the state

// Zeek knows six of ours; its ESTABLISHED begins for both sides with the SYN/ACK.
static bool is_unknown(const struct tcp_side *side)
{
	return side->state == TCP_NONE || side->state == TCP_PARTIAL;
}

static bool has_finished(const struct tcp_side *side)
{
	return side->state == TCP_FINISHED || side->state == TCP_CLOSED;
}

static bool has_sent_nothing(const struct tcp_side *side)
{
	return side->next - side->isn <= 1;
}

static const char *reset_by_server(const struct tcp_side *client, const struct tcp_side *server)
{
	if (client->state == TCP_SYN_SENT && !(server->marks & TCP_SYN_SEEN))
		return "REJ";
	if (client->state == TCP_RESET && has_sent_nothing(client) && has_sent_nothing(server))
		return "REJ";
	return is_unknown(client) ? "RSTRH" : "RSTR";
}

static const char *reset_by_client(const struct tcp_side *client, const struct tcp_side *server)
{
	bool only_syn = client->marks & TCP_SYN_SEEN && !(server->marks & TCP_CONFIRMED);

	return !is_unknown(server) ? "RSTO" : only_syn ? "RSTOS0" : "OTH";
}

const char *tcp_conn_state(const struct tcp *tcp)
{
	const struct tcp_side *client = &tcp->side[tcp_client(tcp)], *server = &tcp->side[!tcp_client(tcp)];

	if (server->state == TCP_RESET)
		return reset_by_server(client, server);
	if (client->state == TCP_RESET)
		return reset_by_client(client, server);
	if (has_finished(client) && has_finished(server))
		return "SF";
	if (has_finished(client))
		return is_unknown(server) ? "SH" : "S2";
	if (has_finished(server))
		return is_unknown(client) ? "SHR" : "S3";
	if (is_unknown(client))
		return "OTH";
	if (server->state == TCP_NONE)
		return "S0";
	return server->state == TCP_SYN_ACKED || server->state == TCP_ESTABLISHED ? "S1" : "OTH";
}
