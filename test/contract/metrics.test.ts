import { metricLine } from '../../lib/contract';

const pass = (over: Partial<Parameters<typeof metricLine>[2]>) => ({ marked: [], removed: [], unproved: [], failed: [], ...over });

test('a pass is one line in the embedded format: what is not zero, by scaffolding', () => {
  const line = metricLine('team', 1_790_000_000_000, pass({ marked: ['i-1', 'i-2'], failed: ['j1'] }));
  expect(line).not.toContain('\n');
  expect(JSON.parse(line!)).toEqual({
    _aws: {
      Timestamp: 1_790_000_000_000,
      CloudWatchMetrics: [
        {
          Namespace: 'rawcloud',
          Dimensions: [['Scaffolding']],
          Metrics: [
            { Name: 'LeftoversFound', Unit: 'Count' },
            { Name: 'JobsFailed', Unit: 'Count' },
          ],
        },
      ],
    },
    Scaffolding: 'team',
    LeftoversFound: 2,
    JobsFailed: 1,
  });
  expect(JSON.parse(metricLine('team', 1, pass({ removed: [1], unproved: [1, 2, 3] }))!)).toMatchObject({
    LeftoversRemoved: 1,
    Unproved: 3,
  });
});

test('a pass that found nothing is no line, and costs nothing', () => {
  expect(metricLine('team', 1, pass({}))).toBeUndefined();
});
