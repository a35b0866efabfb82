// SPDX-License-Identifier: Apache-2.0
// Which XDP program is attached to an interface: its number by netlink, its name by bpf.
#define _GNU_SOURCE
#include "port/interface.h"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ANSWER = 16 * 1024 };

static const struct rtattr *find(const struct rtattr *attribute, int left, unsigned short type)
{
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if ((attribute->rta_type & ~NLA_F_NESTED) == type)
			return attribute;
	return NULL;
}

static ssize_t ask(const struct interface *interface, void *answer)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} question = {
		.head = { .nlmsg_len = sizeof(question), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST },
		.link = { .ifi_index = interface->index },
	};
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t size = -1;

	if (netlink < 0)
		return -1;
	if (send(netlink, &question, sizeof(question), 0) == (ssize_t)sizeof(question))
		size = recv(netlink, answer, ANSWER, 0);
	close(netlink);
	return size;
}

static uint32_t number_of_program(const struct interface *interface)
{
	_Alignas(8) char answer[ANSWER];
	const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
	ssize_t size = ask(interface, answer);
	const struct rtattr *xdp, *number;
	uint32_t value = 0;

	if (size < 0 || !NLMSG_OK(head, (size_t)size) || head->nlmsg_type != RTM_NEWLINK)
		return 0;
	xdp = find(IFLA_RTA(NLMSG_DATA(head)), (int)IFLA_PAYLOAD(head), IFLA_XDP);
	number = xdp ? find(RTA_DATA(xdp), (int)RTA_PAYLOAD(xdp), IFLA_XDP_PROG_ID) : NULL;
	if (number)
		memcpy(&value, RTA_DATA(number), sizeof(value));
	return value;
}

bool interface_program(const struct interface *interface, char *name, size_t size)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attribute = { .prog_id = number_of_program(interface) };
	int program;

	if (!attribute.prog_id)
		return false;
	program = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attribute, sizeof(attribute));
	if (program < 0)
		return false;
	attribute = (union bpf_attr){ .info = { .bpf_fd = (uint32_t)program, .info_len = sizeof(info),
		.info = (uint64_t)(uintptr_t)&info } };
	if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attribute, sizeof(attribute)) < 0)
		info.name[0] = '\0';
	close(program);
	snprintf(name, size, "%s", info.name);
	return true;
}
