import { CpuTime } from './cpu-time';

describe('the time of an evaluation', () => {
  let wallMs = 0;
  let cpuMs = 0;
  beforeEach(() => {
    wallMs = 1_000;
    cpuMs = 500;
    jest.spyOn(performance, 'now').mockImplementation(() => wallMs);
    jest.spyOn(process, 'cpuUsage').mockImplementation((before) => ({
      user: cpuMs * 1000 - (before?.user ?? 0),
      system: -(before?.system ?? 0),
    }));
  });
  afterEach(() => jest.restoreAllMocks());

  const pass = (wall: number, cpu: number) => {
    wallMs += wall;
    cpuMs += cpu;
  };

  it('is not up because the host was busy with others, or the process was stopped', () => {
    const time = new CpuTime(100);
    for (let second = 0; second < 10; second += 1) {
      pass(1_000, 9);
      expect(time.isUp()).toBe(false);
    }
  });

  it('is up once it has computed for so long, and stays so', () => {
    const time = new CpuTime(100);
    pass(100, 100);
    expect(time.isUp()).toBe(false);
    pass(5_000, 0.5);
    expect(time.isUp()).toBe(true);
    expect(time.isUp()).toBe(true);
  });

  it('is not up because other threads have computed beside it', () => {
    const time = new CpuTime(100);
    pass(99, 400);
    expect(time.isUp()).toBe(false);
  });
});
