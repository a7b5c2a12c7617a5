import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { CloutError } from '@cloutagent/contract';

/** Who stands between the caller and us. */
export interface Proxies {
  trusts(address: string): boolean;
  /** Where a request really came from. */
  addressOf(request: IncomingMessage): string;
  /** A trusted proxy says that its own client spoke TLS. */
  saysSecure(request: IncomingMessage): boolean;
}

/** More hops than any real chain; the header itself is bounded by Node at 16 KiB. */
const MAX_HOPS = 20;

const plain = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address);
const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** `10.0.0.1:1234`, `[::1]:80` → the address; undefined where it is none. */
const addressOf = (hop: string): string | undefined => {
  const bare = hop.trim().replace(/^\[(.*)\](?::\d+)?$/u, '$1');
  const address = plain(isIP(bare) === 0 ? bare.replace(/:\d+$/u, '') : bare);
  return isIP(address) === 0 ? undefined : address;
};

const listOf = (proxies: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIP(address);
    const width = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? width : Number(bits);
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > width) {
      throw new CloutError('VALIDATION_ERROR', `TRUSTED_PROXIES: '${proxy}' is no address or network`, {
        hint: 'Use addresses such as 10.0.0.7 and networks such as 10.0.0.0/8, comma-separated',
      });
    }
    list.addSubnet(address, prefix, familyOf(address));
  }
  return list;
};

/**
 * Believes X-Forwarded-For only as far as trusted proxies wrote it: read from its end, the first address that is not
 * one of theirs is the caller. VALIDATION_ERROR for a proxy that is no address.
 */
export const openProxies = (trustedProxies: readonly string[]): Proxies => {
  const trusted = listOf(trustedProxies);
  const trusts = (address: string): boolean =>
    trustedProxies.length > 0 && isIP(address) !== 0 && trusted.check(plain(address), familyOf(plain(address)));
  return {
    trusts,
    addressOf({ socket, headers }) {
      let address = plain(socket.remoteAddress ?? '');
      if (!trusts(address)) return address;
      const header = headers['x-forwarded-for'];
      const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').slice(-MAX_HOPS);
      while (hops.length > 0 && trusts(address)) {
        const hop = addressOf(hops.pop() ?? '');
        if (hop === undefined) break;
        address = hop;
      }
      return address;
    },
    saysSecure: ({ socket, headers }) =>
      headers['x-forwarded-proto'] === 'https' && trusts(plain(socket.remoteAddress ?? '')),
  };
};

/** Whoever has one IPv6 address has its whole /64, so that is what is counted. */
export const countedAs = (address: string): string => {
  if (!address.includes(':') || isIP(address) !== 6) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/u, ''))
    .join(':')}::/64`;
};
