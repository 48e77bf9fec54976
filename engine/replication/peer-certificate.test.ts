import { certifiedRegions, peerUri, refuseCertificate, refuseHello } from './peer-certificate.ts';

const certificate = (...uris: string[]) => ({ subject: 'CN=x', uris });

test('a URI names a database and a region; a slash in the database divides, all else is encoded', () => {
  expect(peerUri('shop/carts', 'eu')).toBe('meridian://shop/carts/region/eu');
  expect(peerUri('my db', 'eu west')).toBe('meridian://my%20db/region/eu%20west');
  const held = certificate(peerUri('my db', 'eu west'), peerUri('my db', 'us'));
  expect(certifiedRegions(held, 'my db')).toEqual(['eu west', 'us']);
});

test('names of other databases, other schemes and longer paths name no region', () => {
  const uris = [
    'meridian://shop/orders/region/eu',
    'meridian://shop/carts/region/',
    'meridian://shop/carts/region/eu/more',
    'meridian://shop/carts/region/%zz',
    'meridian://shop/carts-2/region/eu',
    'spiffe://shop/carts/region/eu',
    'https://meridian://shop/carts/region/eu',
  ];
  expect(certifiedRegions(certificate(...uris), 'shop/carts')).toEqual([]);
  // A database called shop/carts/region/x must not be taken for region x of shop/carts.
  expect(certifiedRegions(certificate('meridian://a/region/b/region/c'), 'a')).toEqual([]);
  expect(certifiedRegions(certificate('meridian://a/region/b/region/c'), 'a/region/b')).toEqual([
    'c',
  ]);
});

test('a refusal says what is there and what is needed', () => {
  const held = certificate('meridian://shop/carts/region/us');
  expect(refuseCertificate(held, 'shop/carts', null)).toBeNull();
  expect(refuseCertificate(held, 'shop/carts', 'us')).toBeNull();
  expect(refuseCertificate(held, 'shop/carts', 'eu')).toBe(
    'the certificate "CN=x" has meridian://shop/carts/region/us; ' +
      'it needs meridian://shop/carts/region/eu',
  );
  expect(refuseCertificate(certificate(), 'd', null)).toBe(
    'the certificate "CN=x" has no URI name; it needs meridian://d/region/REGION',
  );
});

test('a HELLO comes from the region of the certificate, or through a proxy of the own region', () => {
  expect(refuseHello(['us'], 'us', null)).toBeNull();
  expect(refuseHello(['us'], 'us', 'eu')).toBeNull();
  expect(refuseHello(['eu'], 'us', 'eu')).toBeNull();
  expect(refuseHello(['eu'], 'us', null)).toMatch(/for region eu, but HELLO says us/);
  expect(refuseHello(['ap'], 'us', 'eu')).toBe(
    'the certificate is for region ap, but HELLO says us',
  );
  expect(refuseHello(['us'], 'eu', 'eu')).toMatch(/for region us, but HELLO says eu/);
});
