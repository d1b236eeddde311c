INSERT INTO kdamond VALUES(4294967296, 0, 'auto', 0, '', NULL);
