// SPDX-License-Identifier: Apache-2.0
// Link types by number and name, from the tcpdump group's list; those that Weir decodes are marked.
#include "port/capture.h"

#include <stddef.h>
#include <strings.h>

struct link_type {
	uint16_t number;
	bool is_decoded;
	const char *name;
};

// In order of number.
static const struct link_type links[] = {
	{ 0, true, "NULL" },
	{ 1, true, "ETHERNET" },
	{ 6, false, "IEEE802_5" },
	{ 7, false, "ARCNET_BSD" },
	{ 8, false, "SLIP" },
	{ 9, true, "PPP" },
	{ 10, false, "FDDI" },
	{ 12, true, "DLT_RAW" }, // what BSDs and Linux wrote before 101 was agreed on
	{ 14, true, "DLT_RAW_OPENBSD" },
	{ 50, true, "PPP_HDLC" },
	{ 51, true, "PPP_ETHER" },
	{ 100, false, "ATM_RFC1483" },
	{ 101, true, "RAW" },
	{ 104, true, "C_HDLC" },
	{ 105, false, "IEEE802_11" },
	{ 107, false, "FRELAY" },
	{ 108, true, "LOOP" },
	{ 113, true, "LINUX_SLL" },
	{ 114, false, "LTALK" },
	{ 117, false, "PFLOG" },
	{ 119, false, "IEEE802_11_PRISM" },
	{ 122, false, "IP_OVER_FC" },
	{ 123, false, "SUNATM" },
	{ 127, false, "IEEE802_11_RADIOTAP" },
	{ 138, false, "APPLE_IP_OVER_IEEE1394" },
	{ 139, false, "MTP2_WITH_PHDR" },
	{ 140, false, "MTP2" },
	{ 141, false, "MTP3" },
	{ 142, false, "SCCP" },
	{ 143, false, "DOCSIS" },
	{ 144, false, "LINUX_IRDA" },
	{ 147, false, "USER0" },
	{ 148, false, "USER1" },
	{ 149, false, "USER2" },
	{ 150, false, "USER3" },
	{ 163, false, "IEEE802_11_AVS" },
	{ 165, false, "BACNET_MS_TP" },
	{ 166, false, "PPP_PPPD" },
	{ 187, false, "BLUETOOTH_HCI_H4" },
	{ 189, false, "USB_LINUX" },
	{ 192, false, "PPI" },
	{ 195, false, "IEEE802_15_4_WITHFCS" },
	{ 201, false, "BLUETOOTH_HCI_H4_WITH_PHDR" },
	{ 203, false, "LAPD" },
	{ 204, false, "PPP_WITH_DIR" },
	{ 205, false, "C_HDLC_WITH_DIR" },
	{ 206, false, "FRELAY_WITH_DIR" },
	{ 209, false, "IPMB_LINUX" },
	{ 220, false, "USB_LINUX_MMAPPED" },
	{ 224, false, "FC_2" },
	{ 227, false, "CAN_SOCKETCAN" },
	{ 228, true, "IPV4" },
	{ 229, true, "IPV6" },
	{ 230, false, "IEEE802_15_4_NOFCS" },
	{ 231, false, "DBUS" },
	{ 239, false, "NFLOG" },
	{ 240, false, "NETANALYZER" },
	{ 242, false, "IPOIB" },
	{ 243, false, "MPEG_2_TS" },
	{ 247, false, "INFINIBAND" },
	{ 248, false, "SCTP" },
	{ 249, false, "USBPCAP" },
	{ 251, false, "BLUETOOTH_LE_LL" },
	{ 252, false, "WIRESHARK_UPPER_PDU" },
	{ 253, false, "NETLINK" },
	{ 254, false, "BLUETOOTH_LINUX_MONITOR" },
	{ 256, false, "BLUETOOTH_LE_LL_WITH_PHDR" },
	{ 258, false, "PKTAP" },
	{ 264, false, "ISO_14443" },
	{ 271, false, "VSOCK" },
	{ 274, false, "ETHERNET_MPACKET" },
	{ 276, true, "LINUX_SLL2" },
	{ 283, false, "IEEE802_15_4_TAP" },
	{ 288, false, "USB_2_0" },
};

static const struct link_type *find(uint16_t number)
{
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].number == number)
			return &links[i];
	return NULL;
}

const char *capture_link_name(uint16_t link_type)
{
	const struct link_type *link = find(link_type);

	return link ? link->name : NULL;
}

bool capture_link_is_decoded(uint16_t link_type)
{
	const struct link_type *link = find(link_type);

	return link && link->is_decoded;
}

int capture_link_number(const char *name)
{
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (!strcasecmp(links[i].name, name))
			return links[i].number;
	return -1;
}
