import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testMaterial } from './socket.contract.ts';
import { TlsSource } from './tls-files.ts';

const testdata = join(import.meta.dirname, 'testdata');
let directory: string;
let source: TlsSource | null;
let lines: string[];

const journal = {
  debug() {},
  info: (_fields: object, message: string) => void lines.push(message),
  warn() {},
  error: (fields: object, message: string) =>
    void lines.push(`${message}: ${(fields as { reason: string }).reason}`),
};

const put = (name: string, as: string) => copyFileSync(join(testdata, name), join(directory, as));
const open = (ca: string | null = 'ca.pem') => {
  source = new TlsSource(
    {
      cert: join(directory, 'cert.pem'),
      key: join(directory, 'key.pem'),
      ca: ca && join(directory, ca),
    },
    journal,
  );
  return source;
};

beforeEach(() => {
  lines = [];
  source = null;
  directory = mkdtempSync(join(tmpdir(), 'meridian-tls-'));
  put('server.pem', 'cert.pem');
  put('server.key', 'key.pem');
  put('ca.pem', 'ca.pem');
});

afterEach(() => {
  source?.close();
  rmSync(directory, { recursive: true });
});

test('the texts are those of the files, the same object until they change', () => {
  const { material } = open();
  expect(material()).toEqual(testMaterial('server'));
  source?.reload();
  const before = material();
  source?.reload();
  expect(material()).toBe(before);
  expect(lines).toEqual(['certificate loaded']);
});

test('a renewal is taken when certificate and key belong together, not between the two writes', () => {
  const { material } = open();
  put('server-renewed.pem', 'cert.pem');
  source?.reload();
  source?.reload();
  expect(material()).toEqual(testMaterial('server'));
  put('server-renewed.key', 'key.pem');
  source?.reload();
  expect(material()).toEqual(testMaterial('server-renewed'));
  expect(lines).toEqual([
    'certificate loaded',
    expect.stringMatching(
      /^certificate not reloaded; the last good one serves: .*key\.pem is not the key of the cert/,
    ),
    'certificate reloaded; new connections use it',
  ]);
});

test.each([
  [
    'an expired one',
    () => put('peer-us-expired.pem', 'cert.pem'),
    'peer-us-expired.key',
    /expired/,
  ],
  ['one that is no PEM', () => writeFileSync(join(directory, 'cert.pem'), 'x'), null, /no usable/],
  ['one that is gone', () => rmSync(join(directory, 'cert.pem')), null, /cannot read .*cert\.pem/],
])('%s is not taken, and the last good one serves', (_what, spoil, key, words) => {
  const { material } = open();
  spoil();
  if (key !== null) put(key, 'key.pem');
  source?.reload();
  expect(material()).toEqual(testMaterial('server'));
  expect(lines[1]).toMatch(words);
  put('server.pem', 'cert.pem');
  put('server.key', 'key.pem');
});

test('at the start a bad file is an error that names it', () => {
  writeFileSync(join(directory, 'ca.pem'), 'x');
  expect(() => open()).toThrow(/ca\.pem holds no usable PEM/);
  put('client.key', 'key.pem');
  expect(() => open(null)).toThrow(/key\.pem is not the key of the certificate in .*cert\.pem/);
});

test('an expired certificate is loaded at the start, with a complaint, until there is a good one', () => {
  put('peer-us-expired.pem', 'cert.pem');
  put('peer-us-expired.key', 'key.pem');
  const { material } = open();
  expect(material()).toEqual(testMaterial('peer-us-expired'));
  expect(lines).toEqual([`certificate loaded, but others will refuse it: ${expired()}`]);
  put('server.pem', 'cert.pem');
  put('server.key', 'key.pem');
  source?.reload();
  expect(material()).toEqual(testMaterial('server'));
});

const expired = () =>
  `the certificate in ${join(directory, 'cert.pem')} expired on Jan  2 00:00:00 2024 GMT`;

test('SIGHUP reads the files at once', () => {
  const { material } = open();
  put('server-renewed.pem', 'cert.pem');
  put('server-renewed.key', 'key.pem');
  process.emit('SIGHUP');
  expect(material()).toEqual(testMaterial('server-renewed'));
});
