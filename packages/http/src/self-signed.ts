/** A certificate for tests, made without a program beside Node; listed in no index. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const tlv = (tag: number, ...contents: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(contents);
  const length =
    body.length < 128
      ? Buffer.from([body.length])
      : body.length < 256
        ? Buffer.from([0x81, body.length])
        : Buffer.from([0x82, body.length >> 8, body.length & 255]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
};
const sequence = (...contents: readonly Buffer[]): Buffer => tlv(0x30, ...contents);
const text = (tag: number, value: string): Buffer => tlv(tag, Buffer.from(value));

/** OIDs 1.3.101.112 (Ed25519), 2.5.4.3 (common name), 2.5.29.17 (subjectAltName). */
const ED25519 = sequence(tlv(0x06, Buffer.from([0x2b, 0x65, 0x70])));
const COMMON_NAME = tlv(0x06, Buffer.from([0x55, 0x04, 0x03]));
const ALT_NAME = tlv(0x06, Buffer.from([0x55, 0x1d, 0x11]));

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString('base64').replaceAll(/.{64}/gu, '$&\n')}\n-----END ${label}-----\n`;

/** A certificate for localhost and 127.0.0.1 that signs itself (RFC 5280), PEM. */
export const selfSigned = (): { readonly cert: string; readonly key: string } => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const name = sequence(tlv(0x31, sequence(COMMON_NAME, text(0x0c, 'localhost'))));
  const names = sequence(text(0x82, 'localhost'), tlv(0x87, Buffer.from([127, 0, 0, 1])));
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ED25519,
    name,
    sequence(text(0x17, '200101000000Z'), text(0x17, '491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(sequence(ALT_NAME, tlv(0x04, names)))),
  );
  const signature = tlv(0x03, Buffer.from([0]), sign(null, body, privateKey));
  return {
    cert: pem('CERTIFICATE', sequence(body, ED25519, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
};
