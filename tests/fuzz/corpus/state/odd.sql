INSERT INTO kdamond VALUES(1, 0, 'none', -1, '[]', sealed(zeroblob(256)));
INSERT INTO kdamond VALUES(2, 'x', x'00ff', 1.5, '{"kdamonds": 1}', 'text');
INSERT INTO scheme VALUES(1, -1, -1, 'x', 1e300, NULL, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 4294967295, -1);
INSERT INTO staged VALUES(-9223372036854775808, '', ''), (1, '/../..', char(10)), (2, '/', 0), (3, x'00', 1);
