# Drawn by bench/report.py, which puts the data blocks, the goals and the name of the output in front of this.
set terminal svg size 1200,400 font "sans-serif,12" background "white"
set output output
set multiplot layout 1,3 margins 0.045,0.99,0.14,0.9 spacing 0.05
set style fill solid 0.85 noborder
set boxwidth 0.6
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set xtics font ",9"
set yrange [0:*]
set xrange [-0.6:4.6]
set bars 0.6
set errorbars lc rgb "#222222"

set title "Throughput per core, of the bare server's"
set format y "%.0f %%"
set yrange [0:100]
plot $throughput using 0:($2*100):($3*100):($4*100):xtic(1) with boxerrorbars lc rgb "#2a6f97" notitle, \
     throughput_goal * 100 with lines dt 2 lc rgb "#c1121f" title "goal: at least"

set title "99 % latency at half load, times the bare server's"
set format y "%g ×"
set yrange [0:*]
plot $latency using 0:2:3:4:xtic(1) with boxerrorbars lc rgb "#2a6f97" notitle, \
     latency_goal with lines dt 2 lc rgb "#c1121f" title "goal: below"

set title "Time of a review without network, µs"
set format y "%g"
set xrange [-0.6:3.6]
set yrange [0:*]
set offsets 0,0,graph 0.3,0
set boxwidth 0.35
plot $steps using ($0-0.2):($2+$3+$4) with boxes lc rgb "#a9d6e5" title "encode", \
     $steps using ($0-0.2):($2+$3) with boxes lc rgb "#61a5c2" title "decide", \
     $steps using ($0-0.2):2:xtic(1) with boxes lc rgb "#2a6f97" title "decode", \
     $steps using ($0+0.2):5 with boxes lc rgb "#bbbbbb" title "Jansson, tree of the body alone"
unset multiplot
