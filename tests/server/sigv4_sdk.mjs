// For a table of keys: do we sign as Amazon's SDK does, and do we take what it signs?  TAP.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.NPM}/node_modules/`);
const s3 = require('@aws-sdk/client-s3');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');

const NOW = 1764100000000;
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const BUCKET = 'sessions';
const MD5 = '1B2M2Y8AsgTpgAmY7PhCfg==';
const SHA256 = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

// Every ASCII character but NUL, alone in the middle, and what has gone wrong elsewhere.
const keys = [];
for (let c = 1; c < 128; c++) keys.push(`bundles/a${String.fromCharCode(c)}b.tar.gz`);
keys.push(
  'bundles/11111111-2222-4333-8444-555555555555/s.v1.tar.gz', 'a', '/', '//', '/lead', 'trail/',
  'a//b', 'a///b', './a', '../a', 'a/./b', 'a/../b', '..', '.', ' a ', 'a  b', '+', '%', '%20',
  '%2F', '%zz', '%25', 'a%2fb', 'a+b c', '?', '??', '#', 'a?b=c&d=e', 'X-Amz-Signature=0', '&',
  '=', ';', ':', '@', ',', '\'', '"', '`', '*', '~', '!', '$', '(', ')', '[', ']', '{', '}', '|',
  '\\', '^', '<', '>', '\t', '\r\n', '\u007f', '\u0080', 'ä', 'a\u0308', 'é/è', 'Ω', '日本語', '🦊',
  '👩‍👩‍👧', '\u202e', '\ufeff', '\uffff', 'ß'.repeat(100), 'x'.repeat(1000), 'a b+c%d~e*f\'g(h)i!j');

const client = (style) => new s3.S3Client({
  region: 'auto', credentials, endpoint: 'https://store.example:8443',
  forcePathStyle: style === 'path', requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
});
const place = {
  path: (key) => ({ base: 'https://store.example:8443', path: `/${BUCKET}/${key}` }),
  virtual: (key) => ({ base: `https://${BUCKET}.store.example:8443`, path: `/${key}` }),
};

const what = {
  PUT: {
    command: (Key) => new s3.PutObjectCommand({
      Bucket: BUCKET, Key, ContentType: 'application/gzip', ContentLength: 12345, ContentMD5: MD5,
      ChecksumSHA256: SHA256,
    }),
    headers: {
      'content-type': 'application/gzip', 'content-length': '12345', 'content-md5': MD5,
      'x-amz-checksum-sha256': SHA256,
    },
  },
  GET: { command: (Key) => new s3.GetObjectCommand({ Bucket: BUCKET, Key }), headers: {} },
  HEAD: { command: (Key) => new s3.HeadObjectCommand({ Bucket: BUCKET, Key }), headers: {} },
  DELETE: { command: (Key) => new s3.DeleteObjectCommand({ Bucket: BUCKET, Key }), headers: {} },
};

const ask = (requests) => {
  const r = spawnSync(`${process.env.CT_BUILD}/tests/server/sigv4_say`,
    { input: requests.map((q) => JSON.stringify(q) + '\n').join(''), encoding: 'utf8', maxBuffer: 1 << 28 });
  if (r.status !== 0) throw new Error(`sigv4_say: ${r.status} ${r.stderr}`);
  const lines = r.stdout.split('\n').slice(0, -1);
  if (lines.length !== requests.length) throw new Error(`${lines.length} answers`);
  return lines;
};

// A URL without the order of its parameters, which has no meaning.
const normal = (url) => {
  const [path, query] = url.split('?');
  return `${path}?${query.split('&').sort().join('&')}`;
};
const target = (url) => url.replace(/^https:\/\/[^/]*/, '');

let n = 0, bad = 0;
const report = (name, failures, total) => {
  n++;
  if (failures.length > 0 || total === 0) bad++;
  console.log(`${failures.length > 0 || total === 0 ? 'not ok' : 'ok'} ${n} - ${name} (${total})`);
  for (const f of failures.slice(0, 5)) console.log(`# ${f}`);
};

for (const style of ['path', 'virtual']) {
  for (const [method, { command, headers }] of Object.entries(what)) {
    const theirs = [];
    for (const key of keys) {
      theirs.push(await getSignedUrl(client(style), command(key), {
        expiresIn: 300, signingDate: new Date(NOW),
        signableHeaders: new Set(Object.keys(headers)), unhoistableHeaders: new Set(Object.keys(headers)),
      }));
    }
    // What the SDK adds to the query is the caller's affair; the signature covers it.
    const extra = (url) => Object.fromEntries(url.split('?')[1].split('&')
      .map((p) => p.split('=').map(decodeURIComponent))
      .filter(([name]) => name === 'x-id' || name === 'X-Amz-Content-Sha256'
        || name.startsWith('x-amz-checksum') || name === 'x-amz-sdk-checksum-algorithm'));
    const ours = ask(keys.map((key, i) => ({
      op: 'presign', method, ...place[style](key), headers, query: extra(theirs[i]), now: NOW,
    })));
    report(`${style} style, ${method}: our URL is that of the SDK`,
      keys.filter((_, i) => normal(ours[i]) !== normal(theirs[i]))
        .map((key) => `${JSON.stringify(key)}\n#   ours   ${ours[keys.indexOf(key)]}\n#   theirs ${theirs[keys.indexOf(key)]}`),
      keys.length);

    const check = (i, change = {}) => ({
      op: 'verify', method, target: target(theirs[i]), now: NOW + 1000,
      headers: { ...headers, host: new URL(theirs[i]).host }, ...change,
    });
    const verdicts = ask(keys.map((_, i) => check(i)));
    report(`${style} style, ${method}: we take the SDK's URL`,
      keys.filter((_, i) => verdicts[i] !== '0').map((k, i) => `${JSON.stringify(k)}: ${verdicts[i]}`),
      keys.length);
    const forged = ask(keys.map((_, i) => check(i, { target: target(theirs[(i + 1) % keys.length])
      .replace(/^[^?]*/, target(theirs[i]).split('?')[0]) })));
    report(`${style} style, ${method}: and not for another key`,
      keys.filter((_, i) => forged[i] === '0').map((k) => JSON.stringify(k)), keys.length);
  }

  // What the server sends by itself: the SDK's requests, caught before they leave, signed anew.
  const theirs = [];
  const catcher = client(style);
  catcher.middlewareStack.add((next) => async (args) => {
    theirs.push(args.request);
    return { response: {}, output: { $metadata: {} } };
  }, { step: 'finalizeRequest', priority: 'low', name: 'catch' });
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...a) { super(...(a.length > 0 ? a : [NOW])); }
    static now() { return NOW; }
  };
  for (const key of keys) {
    for (const Command of [s3.HeadObjectCommand, s3.DeleteObjectCommand]) {
      await catcher.send(new Command({ Bucket: BUCKET, Key: key }));
    }
    await catcher.send(new s3.ListObjectsV2Command({ Bucket: BUCKET, Prefix: key, MaxKeys: 1000,
      ContinuationToken: `${key}+/=`, EncodingType: 'url' }));
  }
  globalThis.Date = RealDate;
  const lower = (h) => Object.fromEntries(Object.entries(h).map(([k, v]) => [k.toLowerCase(), v]));
  const requests = theirs.map((r) => {
    const h = lower(r.headers);
    const names = /SignedHeaders=([^,]*)/.exec(h.authorization)[1].split(';')
      .filter((x) => !['host', 'x-amz-date', 'x-amz-content-sha256'].includes(x));
    return {
      op: 'authorize', method: r.method, base: `https://${h.host}`, path: decodeURIComponent(r.path),
      headers: Object.fromEntries(names.map((x) => [x, h[x]])), query: r.query ?? {}, now: NOW,
    };
  });
  const answers = ask(requests);
  report(`${style} style: our Authorization is that of the SDK`,
    theirs.map((r, i) => [lower(r.headers), i])
      .filter(([h, i]) => !answers[i].endsWith(`\tAuthorization: ${h.authorization}`)
        || !answers[i].includes(`\tx-amz-content-sha256: ${h['x-amz-content-sha256']}\t`)
        || !answers[i].includes(`\tx-amz-date: ${h['x-amz-date']}\t`))
      .map(([h, i]) => `${theirs[i].method} ${theirs[i].path}\n#   ours   ${answers[i].replaceAll('\n', '')}\n#   theirs ${h.authorization}`),
    theirs.length);
}
console.log(`1..${n}`);
process.exit(bad > 0 ? 1 : 0);
