/* Tap devices. Contract: tap.h. References: Linux "Universal TUN/TAP device driver", netdevice(7). */
#include "dm-glue/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ifreq named(const char *name)
{
	struct ifreq ifr = { 0 };

	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	return ifr;
}

/* The tap's own address, high so that the bridge does not take it over as its own. */
static void set_high_address(int sock, const char *name)
{
	static const unsigned char high[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct ifreq ifr = named(name);

	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, high, sizeof(high));
	/* Cosmetic: a refusal changes nothing that a guest sees. */
	(void)ioctl(sock, SIOCSIFHWADDR, &ifr);
}

static int join_bridge(int sock, const char *name, const char *bridge)
{
	struct ifreq ifr = named(bridge);
	struct ifreq tap = named(name);

	/* The bridge's MTU, if it has another than the default. */
	if (ioctl(sock, SIOCGIFMTU, &ifr) == 0) {
		tap.ifr_mtu = ifr.ifr_mtu;
		(void)ioctl(sock, SIOCSIFMTU, &tap);
	}
	ifr = named(bridge);
	ifr.ifr_ifindex = (int)if_nametoindex(name);
	return ioctl(sock, SIOCBRADDIF, &ifr) < 0 ? -errno : 0;
}

static int bring_up(int sock, const char *name)
{
	struct ifreq ifr = named(name);

	if (ioctl(sock, SIOCGIFFLAGS, &ifr) < 0) {
		return -errno;
	}
	ifr.ifr_flags |= IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

static int configure(const char *name, const char *bridge, const char **step)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*step = "socket";
	if (sock < 0) {
		return -errno;
	}
	set_high_address(sock, name);
	*step = "joining the bridge";
	int rc = join_bridge(sock, name, bridge);
	if (rc == 0) {
		*step = "bringing the tap up";
		rc = bring_up(sock, name);
	}
	close(sock);
	return rc;
}

int tap_open(char name[IFNAMSIZ], const char *bridge, const char **step)
{
	struct ifreq ifr = named(name);

	*step = "/dev/net/tun";
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	*step = "creating the tap";
	int rc = ioctl(fd, TUNSETIFF, &ifr) < 0 ? -errno : 0;
	if (rc == 0) {
		memcpy(name, ifr.ifr_name, IFNAMSIZ);
		rc = configure(name, bridge, step);
	}
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}
