/** XREAD BLOCK and XREADGROUP BLOCK: who is served with what, and how the wait ends. */
import { type Fixture, makeFixture, show, type TestClient } from './session-fixture.ts';

describe('clients that wait for streams', () => {
  let fixture: Fixture;
  let first: TestClient;
  let second: TestClient;
  let writer: TestClient;

  const got = (client: TestClient): string[] => client.received().map(show);

  beforeEach(() => {
    fixture = makeFixture();
    first = fixture.connect();
    second = fixture.connect();
    writer = fixture.connect();
  });

  test('all who XREAD get an entry that comes, with what came after their id', () => {
    writer.send('XADD', 's', '1-1', 'a', '1');
    expect(first.send('XREAD', 'BLOCK', 0, 'STREAMS', 'other', 's', '$', '$')).toBeNull();
    expect(second.send('XREAD', 'BLOCK', 0, 'STREAMS', 's', '1-1')).toBeNull();
    writer.send('XADD', 's', '2-1', 'a', '2');
    const reply = '[["s",[["2-1",["a","2"]]]]]';
    expect([got(first), got(second)]).toEqual([[reply], [reply]]);
    expect(fixture.server.blockedKeys.count).toBe(0);
  });

  test('an XREAD that finds something does not wait', () => {
    writer.send('XADD', 's', '1-1', 'a', '1');
    const reply = first.send('XREAD', 'BLOCK', 0, 'STREAMS', 's', '0');
    expect(show(reply!)).toBe('[["s",[["1-1",["a","1"]]]]]');
  });

  test('of a group one consumer gets an entry, the one that came first', () => {
    writer.send('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
    const words = ['BLOCK', 0, 'STREAMS', 's', '>'];
    expect(first.send('XREADGROUP', 'GROUP', 'g', 'alice', ...words)).toBeNull();
    expect(second.send('XREADGROUP', 'GROUP', 'g', 'bob', ...words)).toBeNull();
    writer.send('XADD', 's', '1-1', 'a', '1');
    expect([got(first), got(second)]).toEqual([['[["s",[["1-1",["a","1"]]]]]'], []]);
    writer.send('XADD', 's', '2-1', 'a', '2');
    expect(got(second)).toEqual(['[["s",[["2-1",["a","2"]]]]]']);
    expect(show(writer.send('XPENDING', 's', 'g')!)).toBe(
      '[2,"1-1","2-1",[["alice","1"],["bob","1"]]]',
    );
  });

  test('a wait for a group ends when the group or the stream goes', () => {
    for (const end of [
      ['XGROUP', 'DESTROY', 's', 'g'],
      ['DEL', 's'],
    ]) {
      writer.send('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
      first.send('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', 0, 'STREAMS', 's', '>');
      writer.send(...end);
      expect(got(first)[0]).toMatch(/NOGROUP No such key 's' or consumer group 'g'/);
    }
  });
});
