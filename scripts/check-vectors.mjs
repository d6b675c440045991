// Reads the test vectors with nothing but docs/sync.md and Node: a second implementation of everything that is hashed,
// signed and framed. Ends with 1 and a line for every vector that does not hold.
import { createHash, createHmac, createPrivateKey, createPublicKey, hkdfSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const folder = new URL('../docs/vectors/', import.meta.url);
const load = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
let failed = 0;
let count = 0;
const same = (what, is, should) => {
  count += 1;
  if (is !== should) {
    failed += 1;
    console.error(`${what}: ${is} is not ${should}`);
  }
};
// The same fields with the same values, in whatever order.
const plain = (value) =>
  JSON.stringify(value, (_, part) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
const holds = (what, yes) => same(what, Boolean(yes), true);

const hex = (text) => Buffer.from(text, 'hex');
const base64 = (text) => Buffer.from(text, 'base64url');
const uuid = (text) => hex(text.replaceAll('-', ''));
const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest();
const u64 = (n) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(n));
  return bytes;
};
const tag = (name) => Buffer.from(`${name}\0`, 'latin1');
const zero = Buffer.alloc(32);

// Ed25519 keys from their raw bytes (RFC 8410).
const privateKey = (seed) =>
  createPrivateKey({ key: Buffer.concat([hex('302e020100300506032b657004220420'), seed]), format: 'der', type: 'pkcs8' });
const publicKey = (raw) =>
  createPublicKey({ key: Buffer.concat([hex('302a300506032b6570032100'), raw]), format: 'der', type: 'spki' });
const signed = (key, message, signature) => verify(null, message, publicKey(base64(key)), base64(signature));

const authorOf = (key) => {
  const bytes = Buffer.from(sha(tag('lamplight.author.v1'), base64(key)).subarray(0, 16));
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = bytes.toString('hex');
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
};
const linkHash = (author, seq, prev, body) =>
  sha(tag('lamplight.link.v1'), uuid(author), u64(seq), prev, body).toString('hex');
const headMessage = (facility, head) =>
  Buffer.concat([tag('lamplight.head.v1'), uuid(facility), uuid(head.author), u64(head.seq), hex(head.hash)]);

// `u32 header length, header, blobs`; a blob is `u32 length, bytes` or `u32 0xffffffff, hash`.
const frame = (text) => {
  const bytes = hex(text);
  const size = bytes.readUInt32BE(0);
  const header = JSON.parse(bytes.subarray(4, 4 + size).toString('utf8'));
  const blobs = [];
  let at = 4 + size;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at);
    const isNamed = length === 0xffffffff;
    const end = at + 4 + (isNamed ? 32 : length);
    const content = bytes.subarray(at + 4, end);
    blobs.push(isNamed ? { hash: content } : { bytes: content, hash: sha(content) });
    at = end;
  }
  same('a frame ends with its last blob', at, bytes.length);
  return { header, blobs };
};

const { keys, facility, ward, tablet } = load('keys');
for (const key of keys) {
  const made = createPublicKey(privateKey(hex(key.seed))).export({ type: 'spki', format: 'der' }).subarray(-32);
  same(`public key of ${key.name}`, made.toString('base64url'), key.public);
  same(`author of ${key.name}`, authorOf(key.public), key.author);
}
const [facilityKey, tabletKey, freshKey] = keys.map((key) => key.public);

const { bodies } = load('bodies');
bodies.forEach((body, n) => same(`body ${n}`, sha(hex(body.bytes)).toString('hex'), body.hash));

const { links, head, head_signature: headSignature } = load('links');
let prev = zero.toString('hex');
links.forEach((link, n) => {
  same(`link ${n}: number`, link.seq, n + 1);
  same(`link ${n}: before it`, link.prev, prev);
  same(`link ${n}: body`, link.body_hash, bodies[n].hash);
  prev = linkHash(link.author, link.seq, hex(link.prev), hex(link.body_hash));
  same(`link ${n}`, prev, link.hash);
});
same('head', `${head.seq} ${head.hash}`, `${links.length} ${prev}`);
holds('head signature', signed(tabletKey, headMessage(facility, head), headSignature));

const credentialMessage = (one) =>
  Buffer.concat([
    tag('lamplight.credential.v1'),
    uuid(one.facility),
    uuid(one.author),
    base64(one.key),
    one.tablet === null ? Buffer.alloc(16) : uuid(one.tablet),
  ]);
const { joined, after_a_fork: afterFork } = load('credentials');
holds('credential by the facility', joined.endorser === 'facility' && signed(facilityKey, credentialMessage(joined), joined.signature));
same('credential: author', authorOf(joined.key), joined.author);
same('credential: tablet', joined.tablet, tablet);
holds('credential by the former author', afterFork.endorser.author === joined.author && signed(tabletKey, credentialMessage(afterFork), afterFork.signature));
same('fresh author', afterFork.key, freshKey);

const { succession } = load('succession');
const succeeds = Buffer.concat([
  tag('lamplight.succession.v1'),
  uuid(facility),
  base64(succession.from),
  base64(succession.to),
  u64(succession.since),
]);
same('succession: from', succession.from, facilityKey);
holds('succession by the former key', signed(succession.from, succeeds, succession.signature));
holds('succession by the next key', signed(succession.to, succeeds, succession.accepted));

const { invite, text, ask } = load('joining');
same('invite', plain(JSON.parse(base64(text.replace('lamplight:', '')))), plain(invite));
holds('join proof', signed(ask.key, Buffer.concat([tag('lamplight.join.v1'), Buffer.from(ask.code)]), ask.proof));

const request = load('request');
const digest = sha(
  tag('lamplight.request.v1'),
  request.method, [0], request.path, [0], request.nonce, [0],
  u64(request.counter),
  sha(hex(request.body)),
);
same('request digest', digest.toString('hex'), request.digest);
const [version, author, nonce, counter, signature] = request.header.split(' ');
same('request header', `${version} ${author} ${nonce} ${counter}`, `v1 ${keys[1].author} ${request.nonce} ${request.counter}`);
holds('request signature', signed(tabletKey, digest, signature));

const push = load('push');
for (const name of ['frame', 'frame_with_a_named_body']) {
  const { header, blobs } = frame(push[name]);
  let at = header.prev;
  blobs.forEach((blob, n) => {
    at = linkHash(header.author, header.first_seq + n, hex(at), blob.hash);
  });
  const end = { author: header.author, seq: header.first_seq + blobs.length - 1, hash: at };
  same(`${name}: head`, plain(end), plain(push.head));
  holds(`${name}: signature`, signed(tabletKey, headMessage(facility, end), header.signature));
}

const receiptMessage = (one) =>
  Buffer.concat([
    tag('lamplight.receipt.v1'),
    uuid(facility),
    uuid(one.head.author),
    u64(one.head.seq),
    hex(one.head.hash),
    u64(one.received_at),
    uuid(one.request),
  ]);
for (const [what, one] of [['receipt', load('receipt').receipt], ['receipt of the push', push.answer.receipt]]) {
  holds(what, signed(facilityKey, receiptMessage(one), one.signature));
  same(`${what}: request`, one.request, push.header.request);
}

const feed = load('feed');
const macKey = Buffer.from(hkdfSync('sha256', hex(keys[0].seed), Buffer.alloc(0), 'lamplight.cursor.v1', 32));
same('key of the marks', macKey.toString('hex'), feed.mac_key);
const follow = (name, from, { header, blobs }) => {
  let at = hex(from.hash);
  same(`${name}: a blob a row`, blobs.length, header.rows.length);
  const rows = header.rows.map((row, n) => Buffer.concat([u64(row.n), uuid(row.author), u64(row.seq), blobs[n].hash]));
  const all = Buffer.concat([tag('lamplight.page.v1'), ...rows]);
  same(`${name}: digest`, sha(all).toString('hex'), header.digest);
  header.rows.forEach((row, n) => {
    same(`${name}: row number`, row.n, from.n + n + 1);
    let record = '00000000-0000-0000-0000-000000000000';
    try {
      const body = JSON.parse(blobs[n].bytes.toString('utf8'));
      if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(body.id)) record = body.id;
    } catch {
      // Not even JSON: the nil UUID stands for it.
    }
    at = sha(tag('lamplight.feed.v1'), at, u64(row.n), uuid(record), blobs[n].hash);
    same(`${name}: cursor ${row.n}`, at.toString('hex'), feed.cursors[row.n].hash);
  });
};
const page = frame(feed.page.frame);
follow('feed', feed.cursors[0], page);
same('feed: next', plain(page.header.next.cursor), plain(feed.cursors[3]));
for (const cursor of feed.cursors) {
  const mac = createHmac('sha256', macKey)
    .update(Buffer.concat([uuid(cursor.generation), uuid(ward), u64(cursor.n), hex(cursor.hash)]))
    .digest('hex');
  same(`mark of cursor ${cursor.n}`, mac, cursor.mac);
}

const opening = load('opening');
const [first, last] = opening.pages.map((one) => frame(one.frame));
holds('opening: goes on', first.header.next.opening.end.hash === opening.end.hash);
same('opening: ends', plain(last.header.next.cursor), plain(opening.end));

// What does not hold must be noticed: a bent byte anywhere in a signed message.
const bent = Buffer.from(receiptMessage(push.answer.receipt));
bent[30] ^= 1;
same('a bent receipt', signed(facilityKey, bent, push.answer.receipt.signature), false);
holds('signatures are the same for the same key and message',
  sign(null, headMessage(facility, head), privateKey(hex(keys[1].seed))).toString('base64url') === headSignature);

console.log(failed === 0 ? `${count} checks over the test vectors hold` : `${failed} of ${count} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
