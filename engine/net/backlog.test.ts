import fc from 'fast-check';
import { Backlog } from './backlog.ts';

test('what goes in comes out in order, whatever is taken at a time', () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 0, max: 90_000 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 200_000 }) }),
  );
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const backlog = new Backlog();
    let sent = 0;
    let read = 0;
    for (const s of steps) {
      if ('add' in s) {
        const bytes = Buffer.alloc(s.add);
        for (let i = 0; i < s.add; i++) bytes[i] = (sent + i) % 251;
        backlog.add(bytes);
        sent += s.add;
        bytes.fill(255);
      } else {
        const part = backlog.first();
        if (part === null) continue;
        const taken = Math.min(s.take, part.length);
        for (let i = 0; i < taken; i += 97) {
          if (part[i] !== (read + i) % 251) throw new Error('a byte is out of place');
        }
        backlog.drop(taken);
        read += taken;
      }
      expect(backlog.bytes).toBe(sent - read);
      expect(backlog.first() === null).toBe(sent === read);
    }
  });
  fc.assert(property, { numRuns: 100 });
});
